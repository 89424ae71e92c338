"""Results that come with the code: finding them, copying what a study lacks, making them."""

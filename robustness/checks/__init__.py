"""What is wrong with a store: every file, id and number of it held to what is known of it. Nothing is changed."""

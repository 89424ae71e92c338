"""What every page of the service rests on."""

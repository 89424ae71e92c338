"""The parameters of a network by name, place and kind, and which of them get other rates than the study's."""

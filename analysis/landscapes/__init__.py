"""Tables of runs as maps of learning rate and weight decay, and what can be read off one."""

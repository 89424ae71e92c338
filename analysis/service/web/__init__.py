"""What pages and browsers have to do with each other: answers, frame, refusals."""

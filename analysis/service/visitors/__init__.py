"""Who asks: tokens and what they allow, cookies, the brake on guessing, and the log of who did what."""

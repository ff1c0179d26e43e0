"""Tables that are generated from well-kept libraries, never typed by hand, and the scripts that generate them."""

"""Views: other ways in which the letters of a term are written, each with its own table and rule of evidence."""

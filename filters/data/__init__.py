"""Data written for this project: lexicons (``*.lexicon``) and the sample bank (``samples.csv``)."""

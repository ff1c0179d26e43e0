"""The sample bank: labelled lines and their counter-examples, one file for each part (``filters.samples.bank``)."""

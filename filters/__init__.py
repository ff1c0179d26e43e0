"""Text in, hits out: compiled filters over UTF-8, pure, with offsets into the original."""

"""Reports of an evaluation, in HTML and Markdown."""

"""Features: what is known of users and articles as of a time, and the matrix a ranker reads."""

"""Models: retrievers, rankers and the pipeline that joins them."""

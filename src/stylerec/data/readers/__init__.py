"""One module per source format: `read(source, output)` writes canonical tables as parquet."""

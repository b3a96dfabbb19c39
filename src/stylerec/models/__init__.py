"""The three models. They share no code beyond `stylerec.data`, `.features` and `.schema`."""

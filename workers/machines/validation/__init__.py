"""The rules of the language, judged without network. All that is wrong with a definition is found at once."""

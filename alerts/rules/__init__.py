"""What a rule is, and how one is read from a file. https://sigmahq.io/sigma-specification/"""

"""OpenSSH's server: who got in, who tried, who left."""

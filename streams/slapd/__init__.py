"""OpenLDAP's server: who bound, from where, and what they looked up or changed."""

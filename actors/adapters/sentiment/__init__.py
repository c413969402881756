"""Collectors of news, posts and indices, from files and over HTTP, behind one port."""

"""Live queries over HTTP and the page that shows them."""

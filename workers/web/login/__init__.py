"""Who looks at the page: the login form, its cookie, and what protects forms."""

"""Who the users are: realms, their credential handlers, and the rules of security constraints."""

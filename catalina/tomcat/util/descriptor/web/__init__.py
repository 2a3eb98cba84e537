"""The naming elements: Environment, Resource, ResourceLink and their kind."""

"""Makes components from the operator's XML files; each remembers its file and line.

``xml_tree`` reads XML safely, with lines; ``old_forms`` turns elements of Tomcat 5.5 into today's, ``substitution``
replaces ``${...}``, ``class_names`` finds the class of a className, ``recognised`` knows what Tomcat documents and we
have not, ``digester`` makes the components and collects ``findings`` about everything that it did not understand.
``property_file`` reads Java's properties files.
"""

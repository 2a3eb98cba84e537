"""Makes components from the operator's XML files; each remembers its file and line.

``xml_tree`` reads XML safely, ``old_forms`` turns elements of Tomcat 5.5 into today's, ``substitution`` replaces
``${...}``, ``class_names`` finds the class of a className, ``digester`` makes the components and collects ``findings``
about everything that it did not understand.
"""

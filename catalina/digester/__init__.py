"""XML files of the operator -> components, each remembering its file and line.

``xml_tree`` reads XML safely, ``old_forms`` turns what Tomcat 5.5 wrote into today's elements, ``substitution`` fills
in ``${...}``, ``class_names`` finds the class of a className, ``digester`` makes the components and collects what was
not understood, ``findings`` is what it collects.
"""

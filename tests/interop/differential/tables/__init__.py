"""The tables of the differential test; each makes its cases from dimensions."""

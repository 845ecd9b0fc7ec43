"""Who carries a statement to the database and the rows back: the only floor that does I/O.

``run`` drives multi-step work, ``url`` reads a database URL, ``connection`` says what every connection can do, and each
other module is one driver. A driver module is imported only when its URL scheme is used, so none of them is needed to
import Crowsfoot.
"""

## Documents that are no manual pages. Manual pages: dist_man_MANS of whose subject they are.

dist_doc_DATA = COPYING NEWS README.md SECURITY.md \
	doc/GLOSSARY.md doc/adding-a-brand.md doc/adding-a-call.md doc/limits.md

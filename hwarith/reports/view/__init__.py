"""How a report looks: a web page, pictures for papers, tables as files."""

"""Every word of the pages, in English and in Chinese."""

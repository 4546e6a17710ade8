"""Tables, plots and the page: what people look at."""

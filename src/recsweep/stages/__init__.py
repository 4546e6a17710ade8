"""One file a verb: prepare, sweep, select, confirm, report, reproduce, export, recommend."""

"""An event comes in, one use case is called, an answer goes out."""

VERSION = "0.1.0"

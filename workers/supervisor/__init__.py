"""The running worker: its life from the first poll to the last report; its parts are in the folders."""

"""State machines of Stepwise, a Clojure library: its EDN notation becomes ours."""

"""Whole journeys: real clients, a real gateway process, real upstreams and stores."""

"""What happened, for people: timelines, figures and pages."""

"""What makes a bare board an appliance, on node and hub alike."""

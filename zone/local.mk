## zone

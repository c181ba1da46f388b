"""GetFeatureInfo JSON that a front end can show as it is (contract, section 7)."""

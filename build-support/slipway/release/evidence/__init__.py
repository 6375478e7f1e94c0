"""What is attested of an artifact: provenance, test results, SBOM, signatures."""

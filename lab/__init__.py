"""The laboratory: real environments, wheels, images and path lists to try condaprune on."""

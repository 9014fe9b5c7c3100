"""Small networks that steer a UNet from outside."""

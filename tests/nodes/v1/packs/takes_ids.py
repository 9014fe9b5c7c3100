class EmptyLatentImage:
    @classmethod
    def INPUT_TYPES(s):
        return {"required": {}}

    RETURN_TYPES = ()
    FUNCTION = "run"
    OUTPUT_NODE = True

    def run(self):
        return ()


class NoFunction:
    RETURN_TYPES = ()

    @classmethod
    def INPUT_TYPES(s):
        return {"required": {}}


NODE_CLASS_MAPPINGS = {
    "EmptyLatentImage": EmptyLatentImage,
    "Test NoFunction": NoFunction,
    "Test Fine": EmptyLatentImage,
}

// Fragments of bf16 in batches; a depth that pieces do not fill.
// kernels: fragments of bf16
func.func @main(%x: tensor<3x18x37xbf16>, %y: tensor<3x21x37xbf16>) -> tensor<3x18x21xbf16> {
  %0 = stablehlo.dot_general %x, %y, batching_dims = [0] x [0], contracting_dims = [2] x [2] : (tensor<3x18x37xbf16>, tensor<3x21x37xbf16>) -> tensor<3x18x21xbf16>
  return %0 : tensor<3x18x21xbf16>
}

// Rows of fragments that are read across, over two dimensions of the depth, and columns in place.
// kernels: fragments of f16
func.func @main(%x: tensor<3x16x70xf16>, %y: tensor<17x3x16xf16>) -> tensor<70x17xf16> {
  %0 = stablehlo.dot_general %x, %y, contracting_dims = [0, 1] x [1, 2] : (tensor<3x16x70xf16>, tensor<17x3x16xf16>) -> tensor<70x17xf16>
  return %0 : tensor<70x17xf16>
}

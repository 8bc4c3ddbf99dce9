// Fragments of f16: rows in place, columns read across, tiles that are not filled; a bias, sums that stay f32.
// kernels: fragments of f16
func.func @main(%x: tensor<33x40xf16>, %y: tensor<40x50xf16>, %b: tensor<50xf32>) -> tensor<33x50xf32> {
  %0 = stablehlo.dot_general %x, %y, contracting_dims = [1] x [0] : (tensor<33x40xf16>, tensor<40x50xf16>) -> tensor<33x50xf32>
  %1 = stablehlo.broadcast_in_dim %b, dims = [1] : (tensor<50xf32>) -> tensor<33x50xf32>
  %2 = stablehlo.add %0, %1 : tensor<33x50xf32>
  return %2 : tensor<33x50xf32>
}

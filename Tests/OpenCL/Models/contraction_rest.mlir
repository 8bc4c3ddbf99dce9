// A product none of whose extents is a multiple of a tile, and what follows it.
// kernels: kernel .* items
func.func @main(%x: tensor<20x17xf32>, %y: tensor<17x30xf32>, %b: tensor<30xf32>) -> tensor<20x30xf32> {
  %0 = stablehlo.dot_general %x, %y, contracting_dims = [1] x [0] : (tensor<20x17xf32>, tensor<17x30xf32>) -> tensor<20x30xf32>
  %1 = stablehlo.broadcast_in_dim %b, dims = [1] : (tensor<30xf32>) -> tensor<20x30xf32>
  %2 = stablehlo.add %0, %1 : tensor<20x30xf32>
  return %2 : tensor<20x30xf32>
}

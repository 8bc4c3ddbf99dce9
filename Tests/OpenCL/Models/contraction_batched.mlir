// Batches of products, one of them long in one direction only.
func.func @main(%x: tensor<3x5x9xf32>, %y: tensor<3x9x6xf32>) -> tensor<3x5x6xf32> {
  %0 = stablehlo.dot_general %x, %y, batching_dims = [0] x [0], contracting_dims = [2] x [1] : (tensor<3x5x9xf32>, tensor<3x9x6xf32>) -> tensor<3x5x6xf32>
  return %0 : tensor<3x5x6xf32>
}

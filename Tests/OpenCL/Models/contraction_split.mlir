// Few tiles and a long depth: parts of it are summed apart.
// kernels: kernel dot_general_add_sum
func.func @main(%x: tensor<3x530xf32>, %y: tensor<530xf32>, %b: tensor<3xf32>) -> tensor<3xf32> {
  %0 = stablehlo.dot_general %x, %y, contracting_dims = [1] x [0] : (tensor<3x530xf32>, tensor<530xf32>) -> tensor<3xf32>
  %1 = stablehlo.broadcast_in_dim %b, dims = [0] : (tensor<3xf32>) -> tensor<3xf32>
  %2 = stablehlo.add %0, %1 : tensor<3xf32>
  return %2 : tensor<3xf32>
}

// Attention of many rows of queries; neither rows nor keys fill a tile.
// kernels: kernel .* of 128 items
func.func @main(%q: tensor<1x9x5xf32>, %k: tensor<1x66x5xf32>, %v: tensor<1x66x6xf32>) -> tensor<1x9x6xf32> {
  %low = stablehlo.constant dense<0xFF800000> : tensor<f32>
  %zero = stablehlo.constant dense<0.0> : tensor<f32>
  %c = stablehlo.constant dense<0.25> : tensor<1x9x66xf32>
  %0 = stablehlo.dot_general %q, %k, batching_dims = [0] x [0], contracting_dims = [2] x [2] : (tensor<1x9x5xf32>, tensor<1x66x5xf32>) -> tensor<1x9x66xf32>
  %1 = stablehlo.multiply %0, %c : tensor<1x9x66xf32>
  %xm = stablehlo.reduce(%1 init: %low) applies stablehlo.maximum across dimensions = [2] : (tensor<1x9x66xf32>, tensor<f32>) -> tensor<1x9xf32>
  %xmb = stablehlo.broadcast_in_dim %xm, dims = [0, 1] : (tensor<1x9xf32>) -> tensor<1x9x66xf32>
  %xs = stablehlo.subtract %1, %xmb : tensor<1x9x66xf32>
  %xe = stablehlo.exponential %xs : tensor<1x9x66xf32>
  %xt = stablehlo.reduce(%xe init: %zero) applies stablehlo.add across dimensions = [2] : (tensor<1x9x66xf32>, tensor<f32>) -> tensor<1x9xf32>
  %xtb = stablehlo.broadcast_in_dim %xt, dims = [0, 1] : (tensor<1x9xf32>) -> tensor<1x9x66xf32>
  %xp = stablehlo.divide %xe, %xtb : tensor<1x9x66xf32>
  %2 = stablehlo.dot_general %xp, %v, batching_dims = [0] x [0], contracting_dims = [2] x [1] : (tensor<1x9x66xf32>, tensor<1x66x6xf32>) -> tensor<1x9x6xf32>
  return %2 : tensor<1x9x6xf32>
}
